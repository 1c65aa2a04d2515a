// A stop beside a poll that is still connecting: nobody else would close the connection.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfigOrThrow } from '@millrace/sdk'
import { afterAll, expect, test } from 'vitest'
import { FileSourceTask, LocalFileSystem } from '../../../../connectors/_shared/file-source/index.ts'
import { ftpConfig, monitorsOf } from '../../../../connectors/spooldir/ftp-config.ts'
import { FtpSourceTask } from '../../../../connectors/spooldir/ftp-task.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-stop-'))
afterAll(() => rmSync(folder, { recursive: true }))

const context = {
  connectorName: 'files',
  taskId: 0,
  raw: {},
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  offsets: { offset: async () => null, offsets: async () => [] },
}

/** Connects when it is told to, and counts what is open. */
function slowServer() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const state = { open: 0, asked: 0 }
  class Counted extends LocalFileSystem {
    override async close(): Promise<void> {
      state.open--
    }
  }
  const connect = async () => {
    state.asked++
    await promise
    state.open++
    return new Counted(5)
  }
  return { state, connect, answer: resolve }
}

type Connect = ReturnType<typeof slowServer>['connect']

function fileTask(connect: Connect): FileSourceTask {
  const options = {
    connect,
    makeReader: () => {
      throw new Error('there is no file')
    },
    topic: 't',
    matches: () => true,
    recursive: false,
    sort: ['NameAsc'],
    minimumAgeMs: 0,
    batchSize: 1,
    emptyPollWaitMs: 1,
    haltOnError: true,
    fileTime: false,
    withHeaders: false,
    cleanup: { policy: 'NONE', inputFolder: folder, finishedFolder: folder, errorFolder: folder, keepsFolders: true },
    leaseExtension: '.LEASE',
    leaseTimeoutMs: 1000,
    taskIndex: 0,
    taskCount: 1,
  } as const
  return new FileSourceTask(options, context)
}

function ftpTask(connect: Connect): FtpSourceTask {
  const config = parseConfigOrThrow(ftpConfig, {
    'connect.ftp.address': 'localhost:2121',
    'connect.ftp.user': 'u',
    'connect.ftp.refresh': 'PT0S',
    'connect.ftp.file.maxage': 'P1D',
    'connect.ftp.monitor.update': `${folder}/:t`,
  })
  return new FtpSourceTask({ config, monitors: monitorsOf(config), connect }, context)
}

test.each([
  ['files that are put away', fileTask],
  ['files that change', ftpTask],
] as const)('a connection that is ready only after the stop is closed: %s', async (_name, make) => {
  const server = slowServer()
  const task = make(server.connect)
  const polled = Promise.allSettled([task.poll(new AbortController().signal)])
  await expect.poll(() => server.state.asked, { timeout: 60_000 }).toBe(1)
  const stopped = task.stop()
  server.answer()
  await Promise.all([polled, stopped])
  expect(server.state).toEqual({ open: 0, asked: 1 })
})
