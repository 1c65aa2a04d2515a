import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DiskLockedError } from '../../../src/base/index.ts'
import { realDisk } from '../../../src/base/real/index.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { requireCommand } from '../../services/require.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))
const path = (name: string): string => join(directory, name)

test('writes several buffers at a position and reads them back', async () => {
  const file = realDisk.open(path('a'), 'create')
  file.write([Buffer.from('one'), Buffer.from('two')], 0)
  file.write([Buffer.from('X')], 3)
  await file.sync()
  file.syncNow()
  const target = Buffer.alloc(8, '.')
  expect(file.read(target, 1, 6, 0)).toBe(6)
  expect(target.toString()).toBe('.oneXwo.')
  expect(file.read(target, 0, 8, 6)).toBe(0)
  file.truncate(2)
  expect(file.size()).toBe(2)
  file.close()
  file.close()
})

test('create refuses an existing file, read and read-write a missing one', () => {
  realDisk.open(path('a'), 'create').close()
  expect(() => realDisk.open(path('a'), 'create')).toThrow(/EEXIST/)
  expect(() => realDisk.open(path('b'), 'read')).toThrow(/ENOENT/)
  expect(() => realDisk.open(path('b'), 'read-write')).toThrow(/ENOENT/)
})

test('replaceFile leaves the new content and no temporary file', async () => {
  realDisk.replaceFile(path('c'), 'old')
  realDisk.replaceFile(path('c'), Buffer.from('new'))
  await realDisk.syncDirectoryLater(directory)
  expect(realDisk.list(directory)).toEqual(['c'])
  expect(realDisk.readFile(path('c')).toString()).toBe('new')
  expect(realDisk.stat(path('c')).size).toBe(3)
})

test('a lock is for one holder at a time', () => {
  const lock = realDisk.lock(path('.lock'))
  expect(() => realDisk.lock(path('.lock'))).toThrow(DiskLockedError)
  lock.release()
  realDisk.lock(path('.lock')).release()
  expect(realDisk.exists(path('.lock'))).toBe(false)
})

test('the lock of a living process holds, that of an ended one does not', () => {
  const ended = spawnSync(process.execPath, ['-e', '']).pid
  writeFileSync(path('.lock'), `${ended}\n`)
  realDisk.lock(path('.lock')).release()
  const stat = existsSync('/proc') ? readFileSync(`/proc/${process.ppid}/stat`, 'latin1') : ''
  const start = stat.split(') ')[1]?.split(' ')[19] ?? ''
  writeFileSync(path('.lock'), `${process.ppid} ${start}\n`)
  expect(() => realDisk.lock(path('.lock'))).toThrow(`held by process ${process.ppid}`)
})

test.skipIf(process.platform !== 'linux')(
  'a lock of a process that ended and that nobody waited for is free',
  async () => {
    // The shell starts a child that ends at once, and becomes a program that never waits for it.
    const parent = spawn('/bin/sh', ['-c', "sh -c 'echo $$' & exec sleep 60"], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const [output] = (await once(parent.stdout, 'data')) as [Buffer]
      const zombie = Number(output.toString())
      const state = () => readFileSync(`/proc/${zombie}/stat`, 'latin1').split(') ')[1]?.[0]
      await vi.waitUntil(() => state() === 'Z', { timeout: DEADLINE_MS })
      const start = readFileSync(`/proc/${zombie}/stat`, 'latin1').split(') ')[1]?.split(' ')[19]
      writeFileSync(path('.lock'), `${zombie} ${start}\n`)
      realDisk.lock(path('.lock')).release()
    } finally {
      parent.kill('SIGKILL')
    }
  },
)

const noPython = process.platform !== 'linux' || requireCommand('python3', 'install python3')

test.skipIf(noPython)('a lock of a process whose first thread has ended alone is held', async () => {
  // As while a process is being killed: a zombie by the state of its first thread, and another thread has its files.
  const program = `import ctypes, platform, threading, time
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
ctypes.CDLL(None).syscall(60 if platform.machine() == 'x86_64' else 93, 0)`
  const child = spawn('python3', ['-c', program], { stdio: 'ignore' })
  try {
    const stat = () => readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
    await vi.waitUntil(() => stat()[0] === 'Z', { timeout: DEADLINE_MS })
    writeFileSync(path('.lock'), `${child.pid} ${stat()[19]}\n`)
    expect(() => realDisk.lock(path('.lock'))).toThrow(`held by process ${child.pid}`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    realDisk.lock(path('.lock')).release()
  } finally {
    child.kill('SIGKILL')
  }
})
