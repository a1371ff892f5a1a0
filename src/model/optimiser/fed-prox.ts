// FedProx (Li et al. 2020): each silo minimises its own loss plus (mu / 2) * |p - p_round|^2, so its gradient gains mu * (p - p_round)
// and local training is held near the model of the round.

/** In place. `origin`: the parameters that the round started from. */
export function pullTowardsInto(
  gradient: Float32Array,
  parameters: Float32Array,
  origin: Float32Array,
  mu: number,
): void {
  for (let i = 0; i < gradient.length; i++) {
    // All three have the same length.
    gradient[i] = (gradient[i] as number) + mu * ((parameters[i] as number) - (origin[i] as number));
  }
}
