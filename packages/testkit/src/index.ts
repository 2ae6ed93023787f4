export { startDynalite, type DynamoEngine } from './engines/dynalite.js'
