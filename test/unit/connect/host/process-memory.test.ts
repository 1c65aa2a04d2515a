import { expect, test } from 'vitest'
import { memoryMeter, residentOfPs, residentOfStatus } from '../../../../src/connect/host/process-memory.ts'

test('the status of a Linux process tells its memory, whatever the size of a page; that of one which has ended does not', () => {
  expect(residentOfStatus('Name:\tnode\nVmHWM:\t  900 kB\nVmRSS:\t   812 kB\nRssAnon:\t 1 kB\n')).toBe(812 * 1024)
  expect(residentOfStatus('Name:\tnode\nState:\tZ (zombie)\n')).toBeNull()
})

test('ps prints kibibytes with blanks around them, and nothing for a process that is gone', () => {
  expect(residentOfPs('  123456 \n')).toBe(123_456 * 1024)
  expect(residentOfPs('')).toBeNull()
  expect(residentOfPs('ps: unknown option -- o\n')).toBeNull()
})

test.skipIf(process.platform !== 'linux')('this process is measured; one that does not exist is not', () => {
  expect(memoryMeter(process.pid)()).toBeGreaterThan(1 << 20)
  expect(memoryMeter(2 ** 30)()).toBeNull()
})
