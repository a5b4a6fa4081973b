// Package conversation is the heart: it takes an entry from a member, checks it
// by the rules of protocol/SPEC.md without reading it, gives it the next
// sequence, commits it and only then answers and publishes.
package conversation

import "errors"

// ErrNotFound, ErrTaken and ErrFull are what a [Store] answers instead of a result.
var (
	ErrNotFound = errors.New("there is no such thing in the store")
	ErrTaken    = errors.New("this place, hash or message is already in the store")
	ErrFull     = errors.New("the subject has as many open conversations as it may have")
)
