// Package directory keeps the organisation's public objects: policies,
// certificates, key objects, status, requests of devices and the departments'
// keys wrapped to them. It signs nothing: the organisation's keys are elsewhere.
package directory

import "errors"

// ErrNotFound and ErrInvitationUsed are what a [Store] answers instead of a result.
var (
	ErrNotFound       = errors.New("there is no such thing in the store")
	ErrInvitationUsed = errors.New("this invitation was used by another request")
)
