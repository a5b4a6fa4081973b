//go:build race

package conversation_test

// raced says that the race detector runs, in which signatures take ten times as
// long.
const raced = true
