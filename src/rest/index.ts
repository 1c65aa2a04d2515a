export { createRestApp, type RestOptions } from './app.ts'
export { type CorsSettings, type HeaderRule, HeaderRuleError, parseHeaderRules } from './headers.ts'
export { renderPrometheus } from './prometheus.ts'
