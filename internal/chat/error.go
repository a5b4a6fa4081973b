package chat

import "log/slog"

// Kind says what a caller can do about an error.
type Kind uint8

// The kinds of errors; Internal is the zero value, for what nobody foresaw.
const (
	KindInternal    Kind = iota // nothing; it is ours to mend
	KindInvalid                 // send something else
	KindDenied                  // ask somebody who may
	KindNotFound                // look elsewhere
	KindConflict                // read again and decide anew
	KindTooLarge                // send less
	KindLimited                 // wait
	KindUnavailable             // try again
)

// Error is what a person may read, and a cause that only the log gets.
type Error struct {
	Kind    Kind
	Field   string // which input, when it was one
	Message string // a sentence without anything private
	Cause   error  // may be private
}

// Invalid is the error of an input that cannot be right.
func Invalid(field, message string) *Error {
	return &Error{Kind: KindInvalid, Field: field, Message: message}
}

// Error gives the safe sentence, never the cause.
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Unwrap lets errors.Is and errors.As see the cause.
func (e *Error) Unwrap() error { return e.Cause }

// LogValue is the whole error, for the log.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("message", e.Error())}
	if e.Cause != nil {
		attrs = append(attrs, slog.String("cause", e.Cause.Error()))
	}
	return slog.GroupValue(attrs...)
}
