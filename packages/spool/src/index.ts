export { spool, type SpoolOptions } from './spool.js'
