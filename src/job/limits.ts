// Bounds on what a job may ask, each with its reason. They are part of what is checked, so every silo has the same ones.

export const JOB_LIMITS = {
  /** Records in one step: one session is compiled for this batch, and its activations are held in memory. */
  batchSizeMax: 65_536,
  /** With Cox's loss: the step holds several matrices of batch by batch. */
  coxBatchSizeMax: 4_096,
  /** Passes or steps of one round: beyond this a round is a training of its own. */
  epochsMax: 1_000,
  stepsMax: 1_000_000,
  /** The proto's bound: at least a tenth of the records must be left to train on. */
  holdoutFractionMax: 0.9,
  /** Fewer than 2 bins carry no ranking; 10,000 bound the AUC's error far below its sampling error. */
  histogramBinsMin: 2,
  histogramBinsMax: 10_000,
  /** With Cox's loss: the sum then holds two tables of bins by bins. */
  coxBinsMax: 128,
  /** Rounds without an improvement that a rule may wait for: more than that and there is no rule. */
  patienceMax: 10_000,
  /** Columns by whose categories metrics are divided, and categories of all of them: each has metrics of its own in every result. */
  slicesMax: 8,
  sliceGroupsMax: 32,
  /** Records of one silo: counts stay exact in float32 models of them and far from 2^53. */
  rowsMax: 100_000_000,
  /** Classes of a target. */
  classesMax: 10_000,
  /** Categories of one column: each is compared with each value. */
  categoriesMax: 256,
  /** Characters of a column name, a unit or a data set's name. */
  nameLength: 200,
  /** Characters of the paragraph that describes a job. */
  descriptionLength: 4_000,
  /** Patterns that say which parameters are trained: each is compared with each name in the model. */
  trainPatternsMax: 100,
  /** Masked words are 16 to 32 bits wide (docs/protocol.md §2.5). */
  modulusBitsMin: 16,
  modulusBitsMax: 32,
} as const;
