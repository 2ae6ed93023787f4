// The rules of the protocol, and how each is taken out of the code: texts that stand once in a source, and what stands there
// instead. `test` is the beginning of the title of the directed history that fails without the rule, where there is one; `within`
// is in how many seeds the simulation misses the rule for certain, for those that it misses soon.
const core = 'packages/core/src'

export const rules = [
  {
    rule: 'announce-wait',
    within: 1500,
    says: 'a route becomes active only once this process has seen it announced for 1.1 leases',
    test: 'announce-wait',
    edits: [
      {
        file: `${core}/routing/coordinator.ts`,
        from: 'return this.#isDue(key, route, leaseMs) && this.#stamping.isThere(key, route)',
        to: 'return this.#stamping.isThere(key, route)',
      },
      {
        file: `${core}/routing/coordinator.ts`,
        from: '!this.#isDue(key, route, this.#parts.leaseMs)) continue',
        to: "!this.#isDue(key, route, route.phase === 'announced' ? -Infinity : this.#parts.leaseMs)) continue",
      },
    ],
  },
  {
    rule: 'dedupe',
    within: 200,
    says: 'an attempt that is made again carries the same number',
    test: 'dedupe',
    edits: [
      {
        file: `${core}/collapse/flight.ts`,
        from: 'stamp: this.#stamp }, call)',
        to: 'stamp: this.#stamp && this.#parts.nextStamp(0) }, call)',
      },
    ],
  },
  {
    rule: 'dedupe in the store',
    within: 200,
    says: 'a number that was applied is not applied again',
    edits: [
      {
        file: `${core}/backend/stored-shard.ts`,
        from: "if (last !== undefined && stamp.sequence <= last) return 'done'",
        to: '',
      },
    ],
  },
  {
    rule: 'expired in the store',
    within: 1500,
    says: 'a forgotten number is refused',
    edits: [
      {
        file: `${core}/backend/stored-shard.ts`,
        from: "if (last === undefined && stamp.sequence <= this.#forgottenUpTo) return 'expired'",
        to: '',
      },
    ],
  },
  {
    rule: 'expired',
    says: 'only a first attempt that is refused as expired takes a higher number',
    edits: [
      {
        file: `${core}/collapse/flight.ts`,
        from: 'if (this.#isUncertain || this.#stamp === undefined || forgottenUpTo === undefined) {',
        to: 'if (this.#stamp === undefined || forgottenUpTo === undefined) {',
      },
    ],
  },
  {
    rule: 'sticky-retry',
    within: 300,
    says: 'a write whose outcome is unknown goes to the same shard again',
    test: 'sticky-retry',
    edits: [
      {
        file: `${core}/collapse/flight.ts`,
        from: 'this.#isUncertain ? this.#shard : this.#parts.pickShard(this.key, nowMs)',
        to: 'this.#parts.pickShard(this.key, nowMs)',
      },
    ],
  },
  {
    rule: 'horizon',
    says: 'an answer that comes after the retry horizon is not taken for «done»',
    test: 'horizon',
    edits: [
      {
        file: `${core}/collapse/flight.ts`,
        from: 'if (this.#isSentBefore(this.#parts.retryHorizonMs)) {',
        to: 'if (this.#isUncertain && this.#isSentBefore(this.#parts.retryHorizonMs)) {',
      },
    ],
  },
  {
    rule: 'own-answer',
    says: 'an answer settles only attempts at the place it comes from',
    test: 'own-answer',
    edits: [{ file: `${core}/collapse/flight.ts`, from: ' || shard !== this.#shard', to: '' }],
  },
  {
    rule: 'seal',
    within: 800,
    says: 'a shard is frozen before it is merged back',
    edits: [
      {
        file: `${core}/routing/merging-back.ts`,
        from: 'records.seal(shard, fields, call)',
        to: "records.read({ shards: [shard], fields, consistency: 'strong' }, call).then((all) => all[0] as ShardContents)",
      },
    ],
  },
  {
    rule: 'absorb',
    within: 300,
    says: 'a shard is taken in once',
    edits: [
      {
        file: `${core}/backend/stored-shard.ts`,
        from: 'if (known.some((entry) => entry.index === source.index && entry.generation >= source.generation)) return',
        to: '',
      },
    ],
  },
  {
    rule: 'absorbed',
    within: 400,
    says: 'a reader leaves out what another shard has taken in',
    edits: [
      {
        file: `${core}/gather/combine.ts`,
        from: '(absorbed !== undefined && (absorbed.get(shard.index) ?? -1) >= shard.generation.number)',
        to: 'absorbed?.size === 0',
      },
    ],
  },
  {
    rule: 'lease-at-end',
    within: 400,
    says: 'a read whose lease ended before its last answer is done again',
    test: 'lease-at-end: a read that',
    edits: [
      {
        file: `${core}/gather/gather.ts`,
        from: 'else if (snapshot.isValidAt(clock.nowMs())) return requireSome',
        to: 'else return requireSome',
      },
      {
        file: `${core}/gather/gather.ts`,
        from: 'stamp === undefined && snapshot.isValidAt(clock.nowMs())) {',
        to: 'stamp === undefined) {',
      },
    ],
  },
  {
    rule: 'lease-at-end: a get or a page',
    says: 'the same for reads of items',
    test: 'lease-at-end: a page',
    edits: [
      {
        file: `${core}/gather/item-request.ts`,
        from: 'else if (snapshot.isValidAt(clock.nowMs())) return value',
        to: 'else return value',
      },
    ],
  },
  {
    rule: 'lease-at-end: an iterate',
    says: 'the same for iterations',
    test: 'lease-at-end: an iterate',
    edits: [
      {
        file: `${core}/gather/page-gather.ts`,
        from: 'stamp !== undefined || !snapshot.isValidAt(clock.nowMs())',
        to: 'stamp !== undefined',
      },
    ],
  },
  {
    rule: 'generation',
    within: 1000,
    says: 'every growth opens new places',
    edits: [
      {
        file: `${core}/routing/phases.ts`,
        from: 'generations.push(generation)',
        to: 'generations.push({ number: generation.number, nonce: 7 } && { number: 7, nonce: 7 })',
      },
    ],
  },
  {
    rule: 'drain-wait',
    says: 'nothing is sealed or copied before a drain was seen for 1.1 leases',
    edits: [
      {
        file: `${core}/routing/coordinator.ts`,
        from: '!this.#isDue(key, route, this.#parts.leaseMs)) continue',
        to: "!this.#isDue(key, route, route.phase === 'draining' ? -Infinity : this.#parts.leaseMs)) continue",
      },
    ],
  },
  {
    rule: 'clear-wait',
    says: 'remains are cleared only a lease after nobody reads them',
    edits: [
      {
        file: `${core}/routing/coordinator.ts`,
        from: '!this.#isDue(key, route, this.#parts.leaseMs)) continue',
        to: "!this.#isDue(key, route, route.phase === 'settled' ? -Infinity : this.#parts.leaseMs)) continue",
      },
    ],
  },
  {
    rule: 'copy under a lease',
    says: 'a copy counts only under a lease that shows the drain',
    test: 'copy under a lease',
    edits: [
      {
        file: `${core}/routing/shard-requests.ts`,
        from: 'if (routing.isClosed || route === undefined || !isSameRoute(route, this.#route))',
        to: 'if (routing.isClosed && !isSameRoute(route ?? this.#route, this.#route))',
      },
    ],
  },
  {
    rule: 'late-ack',
    says: 'a put or delete is acknowledged only under its lease',
    test: 'late-ack',
    edits: [
      {
        file: `${core}/collapse/item-flight.ts`,
        from: '!this.#isCutShort && snapshot.isValidAt(this.#parts.clock.nowMs())',
        to: '!this.#isCutShort',
      },
    ],
  },
  {
    rule: 'take-back',
    says: 'a put that was routed again gives way to a newer tombstone',
    test: 'take-back',
    edits: [
      {
        file: `${core}/collapse/item-flight.ts`,
        from: 'if (tombstone !== undefined) await',
        to: 'if (tombstone !== undefined && places.length < 0) await',
      },
    ],
  },
  {
    rule: 'foresee',
    says: 'where a drain to a new fanout leads is looked at a lease before',
    test: 'foresee:',
    edits: [
      {
        file: `${core}/routing/phases.ts`,
        from: 'return { ...route, writeHistory: [...route.writeHistory, fanout], revision }',
        to: "return { ...route, phase: 'draining', write: fanout, writeHistory: [...route.writeHistory, fanout], revision }",
      },
    ],
  },
  {
    rule: 'foresee-stamp',
    says: 'where the store may forget, shard 0 carries the stamp of the foreseen route before it is drained',
    test: 'foresee-stamp',
    edits: [
      {
        file: `${core}/routing/coordinator.ts`,
        from: 'return this.#isDue(key, route, this.#parts.leaseMs) && this.#stamping.isThere(key, route)',
        to: 'return this.#isDue(key, route, this.#parts.leaseMs)',
      },
    ],
  },
  {
    rule: 'wait-anew',
    says: 'when a lost change was written back all waits begin anew',
    test: 'wait-anew',
    edits: [
      {
        file: `${core}/routing/routing.ts`,
        from: 'if ((this.#snapshot?.directory.healCount ?? 0) !== (directory.healCount ?? 0)) this.#beginAnew()',
        to: 'if ((this.#snapshot?.directory.healCount ?? 0) < -1) this.#beginAnew()',
      },
    ],
  },
  {
    rule: 'tombstone',
    says: 'a delete leaves a tombstone',
    test: 'tombstone',
    edits: [{ file: `${core}/collapse/item-flight.ts`, from: "const mode = 'tombstone'", to: "const mode = 'remove'" }],
  },
  {
    rule: 'every-candidate',
    within: 1500,
    says: 'a delete reaches every place where the item may be',
    test: 'every-candidate',
    edits: [
      {
        file: `${core}/collapse/item-flight.ts`,
        from: 'this.#delete(candidatesOf(key, route, hashed),',
        to: 'this.#delete([homeOf(key, route, hashed)],',
      },
    ],
  },
  {
    rule: 'every-candidate: a get',
    within: 300,
    says: 'a read asks every place where the item may be',
    edits: [
      {
        file: `${core}/gather/item-gather.ts`,
        from: 'return candidatesOf(key, route, route === undefined ? 0 : hash(sort, snapshot.directory.hashSeed))',
        to: 'return candidatesOf(key, route, route === undefined ? 0 : hash(sort, snapshot.directory.hashSeed)).slice(0, 1)',
      },
    ],
  },
  {
    rule: 'newest-wins',
    within: 300,
    says: 'of several versions a reader takes the newest',
    test: 'newest-wins',
    edits: [
      {
        file: `${core}/gather/item-gather.ts`,
        from: 'compareStamps(a.stamp, b.stamp) >= 0 ? a : b',
        to: 'compareStamps(a.stamp, b.stamp) < 0 ? a : b',
      },
    ],
  },
  {
    rule: 'newest-wins in the store',
    within: 400,
    says: 'a put never replaces something newer',
    edits: [
      {
        file: `${core}/backend/stored-items.ts`,
        from: 'if (isThere && compareStamps(known.stamp, entry.stamp) > 0) return known.stamp',
        to: '',
      },
    ],
  },
  {
    rule: 'clock',
    says: 'elapsed time is the larger of the two clocks’ deltas',
    edits: [
      {
        file: `${core}/time/system-clock.ts`,
        from: 'wallMs - this.#lastWallMs - 1, 0)',
        to: '0)',
      },
    ],
  },
  {
    rule: 'clock: waits',
    says: 'waits of a lease count by the monotonic clock alone',
    edits: [
      {
        file: `${core}/time/system-clock.ts`,
        from: `  monotonicMs(): number {
    return performance.now()`,
        to: `  monotonicMs(): number {
    return this.nowMs()`,
      },
    ],
  },
  {
    rule: 'stamp',
    says: 'nothing is built upon a route before shard 0 carries its stamp, where the store may forget',
    edits: [
      {
        file: `${core}/routing/stamping.ts`,
        from: 'this.#parts.store.stampRoute === undefined || this.#jobs.isDone(key, route)',
        to: "this.#parts.store.stampRoute === undefined || this.#jobs.isDone(key, route) || key !== ''",
      },
    ],
  },
  {
    rule: 'heal',
    says: 'a route that was forgotten is written back before anything is done',
    test: 'heal:',
    edits: [
      {
        file: `${core}/routing/heal.ts`,
        from: 'if (isWhole) return undefined',
        to: 'if (isWhole || !isWhole) return undefined',
      },
    ],
  },
]
