// Whether a process that a test has killed is gone: the judgement of the locks of data directories, tested with them.
export { isAlive } from '../../src/base/real/index.ts'
