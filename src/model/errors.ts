// What can be wrong with a model, a loss or an update, as this room's closed union of codes.

import { CodedError, defineErrors, type ErrorContext } from '../base/index.js';

export const MODEL_ERRORS = defineErrors({
  'model/too-large': 'the model file exceeds the limit on bytes, nodes or parameters; export a smaller model',
  'model/not-onnx': 'the bytes are not an ONNX model; export the model again',
  'model/refused': 'the model uses something Veilsum does not train; the message lists every place',
  'model/no-parameters': 'the model has no trainable float32 initialiser that its output depends on',
  'model/bad-parameters': 'a parameter vector has the wrong length or holds a value that is not finite',
  'model/already-standardised': 'the model carries a standardisation; bake it into the forward model once only',
  'model/bad-standardisation': 'mean or standard deviation do not fit the model input or are not finite',
  'model/bad-shape': 'the shapes of model, loss and batch do not fit together',
  'model/bad-update': 'a summed update or the state of the update rule does not fit the model',
  'model/bad-scores': 'scores, labels or histogram counts are outside their range',
  'model/bad-loss': 'a setting of the loss is outside its range or does not fit the model',
  'model/bad-optimiser': 'a setting of the optimiser is outside its range',
  'model/no-record-gradients':
    'the gradient of a parameter cannot be told apart by record in one graph; records are then trained one at a time',
});

export type ModelErrorCode = keyof typeof MODEL_ERRORS;

/** One thing that is wrong with a model file and where; `place` names a node, an initialiser or the model itself. */
export interface ModelProblem {
  readonly place: string;
  readonly what: string;
}

export class ModelError extends CodedError<ModelErrorCode> {
  /** The first thousand problems found, for code `model/refused`; empty otherwise. */
  readonly problems: readonly ModelProblem[];

  constructor(
    code: ModelErrorCode,
    message: string,
    context: ErrorContext = {},
    problems: readonly ModelProblem[] = [],
  ) {
    super(code, message, { category: code === 'model/too-large' ? 'limit' : 'content', ...context });
    this.name = 'ModelError';
    this.problems = problems;
  }
}

/** Problems that the message spells out; `ModelError.problems` holds more. */
const PROBLEMS_IN_MESSAGE = 50;
/** Problems that are kept at all: a file of two bytes a node can have a million. */
const PROBLEMS_KEPT = 1000;
/** Characters of a place or a problem: both quote names from the file, which can be as long as the file. */
const TEXT_MAX = 200;

function shorten(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX - 1)}…`;
}

/** Gathers what is wrong with one model, so that its author repairs all of it at once. */
export class Problems {
  readonly #found: ModelProblem[] = [];
  #count = 0;

  add(place: string, what: string): void {
    this.#count += 1;
    if (this.#count <= PROBLEMS_KEPT) this.#found.push({ place: shorten(place), what: shorten(what) });
  }

  get none(): boolean {
    return this.#found.length === 0;
  }

  /** Throws `model/refused` with one line per problem, if there is any. */
  throwIfAny(): void {
    if (this.none) return;
    const count = this.#count;
    const lines = this.#found.slice(0, PROBLEMS_IN_MESSAGE).map(({ place, what }) => `${what} (${place})`);
    if (count > lines.length) lines.push(`and ${String(count - lines.length)} more`);
    throw new ModelError(
      'model/refused',
      `the model is refused for ${String(count)} reason(s): ${lines.join('; ')}`,
      { remedy: 'change the forward model as the list says and export it again' },
      this.#found,
    );
  }
}
