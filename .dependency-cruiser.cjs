/**
 * Which file may import which. Imports go along the path of the data, or down to the ports:
 * paths and client, then the stages, then merge and backend, then time, chance, errors, telemetry and internal.
 */
const core = 'packages/core/src'
const stages = 'admission|collapse|coalesce|gather|routing|detection|fleet|spool'
const ground = 'time|chance|errors|telemetry|internal'

/** Forbids imports from files that match `from` to files that match `to`, but for those that match `toNot`. */
const forbid = (name, comment, from, to, toNot) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: to, ...(toNot && { pathNot: toNot }) },
})

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that import each other, even if only for types, cannot be read one after the other.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that resolves to nothing.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    forbid(
      'core-knows-no-other-package',
      'Adapters and the kit know the core, never the reverse.',
      '^packages/core/src',
      '^packages/(?!core/)',
    ),
    forbid(
      'stages-point-down',
      'A stage is called by the paths and by the client; it never calls them.',
      `^${core}/(${stages})/`,
      `^${core}/(client|write-path|read-path|index|testing)[.]ts$`,
    ),
    forbid(
      'stages-follow-the-path',
      'Detection and routing are asked by the other stages and reach back to none of them.',
      `^${core}/(detection|routing)/`,
      `^${core}/(admission|collapse|coalesce|gather)/`,
    ),
    forbid(
      'fleet-asks-routing',
      'What the fleet calls for is asked by the client and handed to routing, which knows nothing of the fleet.',
      `^${core}/(routing|detection)/`,
      `^${core}/fleet/`,
    ),
    forbid(
      'merge-is-algebra',
      'Merge rules know no stage and no backend.',
      `^${core}/merge/`,
      `^${core}/`,
      `^${core}/((merge|${ground})/|operation[.]ts$)`,
    ),
    forbid(
      'items-are-values',
      'Items and their sort values know no stage and no backend.',
      `^${core}/item/`,
      `^${core}/`,
      `^${core}/((item|${ground})/|operation[.]ts$)`,
    ),
    forbid(
      'backend-is-a-port',
      'What a third party implements rests on the algebra and the ground alone.',
      `^${core}/backend/`,
      `^${core}/`,
      `^${core}/((backend|merge|item|errors|time|chance|internal)/|operation[.]ts$)`,
    ),
    forbid(
      'ground-is-ground',
      'Time, chance, errors, telemetry and internal know nothing of the product above them.',
      `^${core}/(${ground})/`,
      `^${core}/`,
      `^${core}/((${ground})/|operation[.]ts$)`,
    ),
    forbid(
      'time-owns-timers',
      'All other code takes a Clock, so that tests can own the time.',
      '^packages/[^/]+/src/(?!time/)',
      '^(node:)?(timers|perf_hooks)(/promises)?$',
    ),
    forbid('sources-know-no-tests', 'Tests are not shipped.', '^packages/[^/]+/src', '/test/|[.]test(-d)?[.]ts$'),
    {
      name: 'index-ships-no-test-tools',
      comment: 'Fakes are for ./testing; applications do not load them.',
      severity: 'error',
      from: { path: `^${core}/index[.]ts$` },
      to: { path: `^${core}/testing[.]ts$`, reachable: true },
    },
    forbid(
      'tests-use-entries',
      'Tests of one package reach another by its entries.',
      '^packages/(?!core/)',
      '^packages/core/src/(?!(index|testing)[.]ts$)',
    ),
  ],
  options: {
    doNotFollow: { path: ['node_modules'] },
    exclude: { path: ['/dist/', '/temp/', '/coverage/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['import', 'types', 'node', 'default'],
      exportsFields: ['exports'],
    },
    combinedDependencies: true,
  },
}
