// Holds the engines of a benchmark in a process of its own, so that what they cost is not counted as the benchmark's. Told
// their names, it sends their addresses once they are ready, and takes them down when its parent ends, however that happens.

import { startServices, type ServiceName } from '@spillway/testkit'

process.on('SIGINT', () => undefined) // Ctrl-C reaches the parent, too; the end of that is what counts
const services = await startServices(process.argv.slice(2) as ServiceName[])
process.once('disconnect', () => void services.close().finally(() => process.exit()))
process.send?.(services.addresses)
