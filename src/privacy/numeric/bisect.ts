// Bisection on a yes or no: the search returns an argument that has been seen to hold.

/** The smallest argument in [low, high] at which `holds`, from above, to one part in 10^12 or `within`. `holds(high)` must be true. */
export function bisect(low: number, high: number, holds: (x: number) => boolean, within = 1e-12): number {
  let no = low;
  let yes = high;
  for (let k = 0; k < 200 && yes - no > within * yes; k++) {
    const middle = no > 0 && yes > 4 * no ? Math.sqrt(no) * Math.sqrt(yes) : no + (yes - no) / 2;
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}
