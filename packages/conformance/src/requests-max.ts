/** So often a client may by itself ask for what a store leaves out or refuses; then it is the core's turn to wait. */
export const requestsMax = 32
