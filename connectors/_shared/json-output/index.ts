// JSON written as bytes, for sources whose records have their JSON ready (`jsonText` of the SDK).
export { JsonOutput, writeDigits } from './json-output.ts'
export { viewOf } from './words.ts'
