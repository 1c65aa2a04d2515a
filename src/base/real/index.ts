export { realClock } from './clock.ts'
export { realDisk } from './disk.ts'
export { realNet } from './net.ts'
export { realRandom } from './random.ts'
