// The scenario `fleet` with 10,000 processes: apart from it, since it takes as long as all the others together.

export { runLarge as run } from './fleet.bench.js'
