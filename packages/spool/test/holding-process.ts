// Takes the spool in a folder and holds it until it is killed.

import { spool } from '@spillway/spool'

const [path = ''] = process.argv.slice(2)
await spool({ path }).open()
process.stdout.write('ready\n')
setInterval(() => undefined, 60_000)
