import type { FaultProxy, ProxyFaults } from '@spillway/testkit'

/** What a hook of the kit needs of proxies that stand before an engine. */
type Proxy = Pick<FaultProxy, 'faults'>

/**
 * Lets the next `answeredCount` pieces of requests be answered, and cuts the connection before the answers of `lostCount` after
 * them. A client's own greetings count as well: of those that come first, some are lost between others.
 */
export function loseAnswers(proxies: readonly Proxy[], answeredCount: number, lostCount: number): () => void {
  let sentCount = 0
  const faults: ProxyFaults = {
    // A proxy asks once for each piece.
    get cutBeforeAnswer() {
      sentCount += 1
      return sentCount > answeredCount && sentCount <= answeredCount + lostCount ? 1 : 0
    },
  }
  for (const proxy of proxies) proxy.faults = faults
  return () => {
    for (const proxy of proxies) proxy.faults = {}
  }
}
