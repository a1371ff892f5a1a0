// What an optimiser is: a loop over the flat parameters, run by a silo between two steps. Its state lives as long as one local
// training; nothing of it is sent.

export interface Optimiser {
  /**
   * Moves `parameters` in place against `gradient`. All vectors have the length the optimiser was made for. Stored state is
   * float32; the arithmetic of one element is float64, rounded once when it is stored.
   */
  step(parameters: Float32Array, gradient: Float32Array, learningRate: number): void;
}
