// Problem: two processes on one spool would write what it holds twice, and a process that was killed must not keep the next out.
// Scheme: the owner listens on a socket in the spool's folder, which the system closes when the process ends, however it ends.
//   The name of the socket stands in the spool. Who wants the spool listens on a socket of its own first, asks the one that
//   stands there, and when nobody answers puts its own name in its place by compare-and-swap.
// Invariants: of several who find the owner gone, one wins, since the swap is a transaction of the store; an owner that is
//   stopped or busy still counts as alive, since the system accepts for it.
// Cost: one connection at the start.
// Source: unix(7); proper-lockfile and others go by the age of a file, which keeps the next start waiting and fails a stopped owner.

import { unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join, relative } from 'node:path'

import { InvalidArgumentError, SpoolError } from '@spillway/core'

import { uniqueName } from './chance/unique-name.js'

/** Where the name of the owner's socket stands. */
export interface OwnerPlace {
  read(): string | undefined
  /** Puts `next` there if `expected` still is; says whether it was. */
  swap(expected: string | undefined, next: string | undefined): boolean
}

/** Systems allow 104 bytes and more for the path of a socket. */
const pathBytesMax = 103

/** This process's hold on a spool. */
export interface Ownership {
  /** Gives it up. */
  release(): Promise<void>
}

/** Takes the spool in `folder`. Rejects with `SpoolError` when somebody else has it. */
export async function takeOwnership(folder: string, place: OwnerPlace): Promise<Ownership> {
  const name = uniqueName('owner-')
  const server = await listen(folder, name)
  try {
    let owner = place.read()
    if (owner !== undefined) await requireGone(folder, owner)
    while (!place.swap(owner, name)) {
      owner = place.read()
      if (owner !== undefined) await requireGone(folder, owner)
    }
    if (owner !== undefined) await unlink(socketPath(folder, owner)).catch(leftThere)
  } catch (error) {
    await closed(server)
    throw error
  }
  return {
    async release() {
      try {
        place.swap(name, undefined)
      } finally {
        await closed(server) // whoever asks then finds nobody there
      }
    },
  }
}

function listen(folder: string, name: string): Promise<Server> {
  const path = socketPath(folder, name)
  const server = createServer((asking) => asking.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new SpoolError(
          'failed',
          `The spool in ${folder} needs a socket there, which could not be made: ${error.message}`,
          {
            cause: error,
          },
        ),
      ),
    )
    // Whoever runs under another user must be able to ask.
    server.listen({ path, readableAll: true, writableAll: true }, () => resolve(server))
    server.unref()
  })
}

/** Resolves when nobody listens. Rejects with `SpoolError` when somebody does, or when that cannot be told. */
function requireGone(folder: string, owner: string): Promise<void> {
  const refuse = (why: string, cause?: unknown) =>
    new SpoolError(
      'in-use',
      `The spool in ${folder} is in use: ${why} One client at a time: close the other one, or give each a folder of its own.`,
      { cause },
    )
  return new Promise((resolve, reject) => {
    const asked = connect(socketPath(folder, owner), () => {
      asked.destroy()
      reject(refuse('another client lives on it.'))
    })
    asked.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve()
      else reject(refuse(`whether its last owner lives cannot be told (${error.message}).`, error))
    })
  })
}

/** The shorter of two names of the same place. On Windows sockets have no place in the file system. */
function socketPath(folder: string, name: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\spillway-${name}`
  const absolute = join(folder, name)
  const near = relative(process.cwd(), absolute)
  const path = Buffer.byteLength(near) < Buffer.byteLength(absolute) ? near : absolute
  const bytes = Buffer.byteLength(path)
  if (bytes <= pathBytesMax) return path
  const expected = `at most ${pathBytesMax - name.length - 1} bytes long, from the root or from the working directory`
  throw new InvalidArgumentError('path', expected, folder, 'A socket stands in it, and systems bound the path of one.')
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

/** A socket that nobody listens on harms nobody. */
function leftThere(): void {}
