export { startDynalite, type DynamoEngine } from './engines/dynalite.js'
export { dynamoAccess, type DynamoAccess } from './engines/dynamo-access.js'
export { startGateway, type Gateway, type GatewayOptions } from './gateway/gateway.js'
export type { Fate, GatewayFaults } from './gateway/faults.js'
export type { PartitionOptions } from './gateway/partitions.js'
export { startRedis, type RedisOptions } from './engines/redis-single.js'
export {
  startRedisCluster,
  type NodeAddress,
  type RedisCluster,
  type RedisClusterOptions,
} from './engines/redis-cluster.js'
export { startRedisSentinel, type RedisSentinel, type SentinelOptions } from './engines/redis-sentinel.js'
export type { RedisProcess } from './engines/redis-process.js'
export { startFaultProxy, type FaultProxy, type ProxyFaults, type ProxyOptions } from './proxy/fault-proxy.js'
export { startClusterProxies, type ClusterProxies, type ClusterProxyOptions } from './proxy/cluster-proxies.js'
export { hottestChannel, type Edit } from './edits/edit-log.js'
export { editOrders, editRules, EditWriter } from './edits/edit-writer.js'
export { storeEdits, type EditReport } from './edits/store-edits.js'
export { chaosOptions, chaosPrefixes, unitsPerSecond } from './chaos/chaos-options.js'
export { chaosTask, endTask } from './chaos/chaos-orders.js'
export { direct } from './chaos/director.js'
export { runChaosProcess } from './chaos/chaos-process.js'
export { runChaos, type ChaosOptions } from './chaos/conductor.js'
export type { ChaosReport } from './chaos/report.js'
export { startDynamoChaos } from './chaos/dynamo-chaos.js'
export { startRedisChaos } from './chaos/redis-chaos.js'
export { machineMs, wallMs } from './time/elapsed.js'
export { spreadAndCool, type SpreadAndCooled } from './merging/spread-and-cool.js'
export { pause, waitUntil } from './time/wait.js'
export {
  runningServices,
  serviceNames,
  startServices,
  stopServices,
  variables,
  type Addresses,
  type ServiceName,
  type Services,
  type ServicesRun,
} from './services.js'
