// Problem: no engine of DynamoDB that runs at home throttles, loses answers or goes down by itself.
// Scheme: dynalite in a process of its own with its data on disk, which is killed and started again, behind the gateway.
// Invariants: what the engine has acknowledged is on disk.
// Cost: the engine takes a core.
// Source: gateway.ts

import { startDynaliteProcess, type DynaliteProcess } from '../engines/dynalite-process.js'
import type { GatewayFaults } from '../gateway/faults.js'
import { startGateway, type Gateway } from '../gateway/gateway.js'
import { wallMs } from '../time/elapsed.js'
import { pause } from '../time/wait.js'
import type { ChaosEngine, Mishap } from './chaos-engine.js'

const table = 'chaos'

/** Always: now and then an answer is lost. */
const usual: GatewayFaults = { resetAfterEffect: 0.002, errorAfterEffect: 0.002, resetBeforeEffect: 0.002 }

/** Starts an engine, a gateway in front of it, and what goes wrong with both. */
export async function startDynamoChaos(seed: number): Promise<ChaosEngine> {
  const engine = await startDynaliteProcess()
  const gateway = await startGateway({ endpoint: engine.endpoint, seed })
  let expiredCount = 0
  const expire = async () => {
    expiredCount += await gateway.expire(Math.floor(wallMs() / 1_000))
  }
  return {
    place: { endpoint: gateway.endpoint, table },
    mayShareKeys: true,
    pauseMs: 120,
    network: networkOf(gateway),
    inside: insideOf(engine, expire),
    counts: () => ({
      'answers lost': gateway.lostAnswerCount,
      'requests throttled': gateway.throttledCount,
      'items expired': expiredCount,
    }),
    lift() {
      gateway.faults = {}
      return Promise.resolve()
    },
    async close() {
      await gateway.close()
      await engine.close()
    },
  }
}

function between(draw: () => number): number {
  return 500 + 2_000 * draw()
}

function networkOf(gateway: Gateway): readonly Mishap[] {
  const during = async (faults: GatewayFaults, ms: number) => {
    gateway.faults = { ...usual, ...faults }
    await pause(ms)
    gateway.faults = usual
  }
  return [
    {
      kind: 'answers lost',
      weight: 4,
      run: (draw) => during({ resetAfterEffect: 0.1, errorAfterEffect: 0.1 }, between(draw)),
    },
    { kind: 'connections cut', weight: 2, run: (draw) => during({ resetBeforeEffect: 0.15 }, between(draw)) },
    { kind: 'answers delayed', weight: 3, run: (draw) => during({ delayMsMax: 50 + 500 * draw() }, between(draw)) },
    { kind: 'throttles', weight: 3, run: (draw) => during({ throttle: 0.2 + 0.4 * draw() }, between(draw)) },
    { kind: 'partial batches', weight: 2, run: (draw) => during({ leaveOut: 0.2, emptyPage: 0.2 }, between(draw)) },
    {
      kind: 'outages',
      weight: 1,
      run: async (draw) => {
        const lift = await gateway.outage()
        await pause(200 + 1_800 * draw())
        await lift()
      },
    },
  ]
}

function insideOf(engine: DynaliteProcess, expire: () => Promise<void>): readonly Mishap[] {
  return [
    {
      kind: 'engine killed and started again',
      weight: 1,
      run: async (draw) => {
        await engine.crash()
        await pause(500 * draw())
        await engine.start()
      },
    },
    { kind: 'expiry of what is past its time', weight: 1, run: expire },
  ]
}
