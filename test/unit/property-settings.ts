// Imported for its effect: properties run with the same examples every time, unless FC_SEED or FC_RUNS say otherwise.
import fc from 'fast-check'

const { FC_SEED, FC_RUNS } = process.env
fc.configureGlobal({
  seed: Number(FC_SEED ?? 20261121),
  ...(FC_RUNS === undefined ? {} : { numRuns: Number(FC_RUNS) }),
})
