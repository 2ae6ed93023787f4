import { runFunction } from './run-function.js'

const { stored, acknowledged, errors, invocationCount, killedCount, before, after } = await runFunction((line) =>
  console.log(line),
)
const shardsOf = (answers: typeof before) => answers.map(({ fanout }) => fanout).join(' ')
console.log(`${invocationCount} invocations, ${errors.length} failed; ${killedCount} instances ended in their sleep`)
console.log(
  `shards of the hot page, as the instances knew it: ${shardsOf(before)}; after their sleep ${shardsOf(after)}`,
)
console.log(`an instance that slept longer than its lease: ${after.at(-1)?.requests.join(', ')}`)
console.log(`views of the hot page: ${acknowledged} acknowledged, ${stored} stored`)
process.exitCode = stored === acknowledged ? 0 : 1
