export { realClock } from './clock.ts'
export { realNet } from './net.ts'
export { realRandom } from './random.ts'
