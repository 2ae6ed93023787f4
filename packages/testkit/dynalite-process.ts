// A process of its own that is a DynamoDB with its data in a folder, until its starter ends.

import { startDynalite } from './src/engines/dynalite.js'

const [path = '', port = ''] = process.argv.slice(2)

process.once('disconnect', () => process.exit())
await startDynalite({ path, port: Number(port) })
process.send?.('listening')
