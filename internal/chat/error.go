package chat

import (
	"errors"
	"log/slog"
)

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
	KindRateLimited             // wait
	KindUnavailable             // try again
)

// kinds has for each kind its name and the sentence of an error without one.
var kinds = [...]struct{ name, sentence string }{
	KindInternal:    {"internal", "something failed inside the server: its log says what"},
	KindInvalid:     {"invalid", "this input cannot be right: change it and send it again"},
	KindDenied:      {"denied", "this is not allowed: ask somebody who may"},
	KindNotFound:    {"not_found", "there is nothing of that name"},
	KindConflict:    {"conflict", "this changed meanwhile: read it again and decide anew"},
	KindTooLarge:    {"too_large", "this is too large: send less"},
	KindRateLimited: {"rate_limited", "this came too often: wait and try again"},
	KindUnavailable: {"unavailable", "this does not work at the moment: try again later"},
}

func (k Kind) known() Kind {
	if int(k) >= len(kinds) {
		return KindInternal
	}
	return k
}

// String is the kind's name for programs, as in "not_found".
func (k Kind) String() string { return kinds[k.known()].name }

// KindOf is the kind of the first [*Error] in err's chain. Any other error is
// internal, and so is nil.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind.known()
	}
	return KindInternal
}

// Error is what a person may read, and a cause that only the log gets. Nothing
// that encodes or prints an Error shows the cause but LogValue.
type Error struct {
	Kind    Kind
	Code    string // its own name for programs, where the kind's does not say enough
	Field   string // which input, when it was one
	Limit   int64  // the number that the input had to keep, in the message's unit; 0 for none
	Message string // a sentence without anything private
	cause   error
}

// Invalid is the error of an input that cannot be right.
func Invalid(field, message string) *Error {
	return &Error{Kind: KindInvalid, Field: field, Message: message}
}

// Because is a copy of e with a cause, which may be private.
func (e *Error) Because(cause error) *Error {
	because := *e
	because.cause = cause
	return &because
}

// Error gives the safe sentence, never the cause.
func (e *Error) Error() string {
	if e.Message == "" {
		return kinds[e.Kind.known()].sentence
	}
	return e.Message
}

// Name is the error's name for programs, as in "not_found".
func (e *Error) Name() string {
	if e.Code == "" {
		return e.Kind.String()
	}
	return e.Code
}

// GoString keeps the cause out of %#v too.
func (e *Error) GoString() string { return "chat." + e.Kind.String() + ": " + e.Error() }

// Unwrap lets errors.Is and errors.As see the cause.
func (e *Error) Unwrap() error { return e.cause }

// LogValue is the whole error, for the log.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("kind", e.Name()), slog.String("message", e.Error())}
	if e.Field != "" {
		attrs = append(attrs, slog.String("field", e.Field))
	}
	if e.Limit != 0 {
		attrs = append(attrs, slog.Int64("limit", e.Limit))
	}
	if e.cause != nil {
		attrs = append(attrs, slog.String("cause", e.cause.Error()))
		// The text of a cause that is such an error itself lacks its own cause.
		if inner, ok := errors.AsType[*Error](e.cause); ok {
			attrs = append(attrs, slog.Any("inner", inner))
		}
	}
	return slog.GroupValue(attrs...)
}
