package chat

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestID_SortsByTimeAsBytesAndAsText(t *testing.T) {
	at := time.UnixMilli(1_790_000_000_000)
	before := NewID[Site](at)
	for step := range 2000 {
		at = at.Add(time.Duration(step+1) * time.Millisecond)
		id := NewID[Site](at)
		if bytes.Compare(before[:], id[:]) >= 0 || before.String() >= id.String() {
			t.Fatalf("%s does not sort before %s", before, id)
		}
		if !id.Time().Equal(at) {
			t.Fatalf("made at %s, says %s", at, id.Time())
		}
		before = id
	}
}

func TestID_TextComesBack(t *testing.T) {
	for range 1000 {
		id := NewID[Device](time.Now())
		text, err := id.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var read ID[Device]
		if err := read.UnmarshalText(text); err != nil || read != id {
			t.Fatalf("%s came back as %s, %v", id, read, err)
		}
	}
}

func TestID_Refuses(t *testing.T) {
	right := NewID[Staff](time.Now()).String()
	for _, text := range []string{
		"", right[1:], right + "0", strings.ToUpper(right[:35]) + "A", strings.Repeat("0", idText),
		right[:35] + "1", "i" + right[1:], "\n" + right[1:], strings.Repeat("x", 1<<16),
	} {
		var id ID[Staff]
		err := id.UnmarshalText([]byte(text))
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindInvalid || !id.IsZero() {
			t.Errorf("%.50q: %v, %s", text, err, id)
		}
	}
}

func TestID_NeedsItsRandomness(t *testing.T) {
	if id, err := ReadID[Staff](time.Now(), iotest.ErrReader(io.ErrUnexpectedEOF)); err == nil || !id.IsZero() {
		t.Fatalf("%s without randomness", id)
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(NewID[Site](time.UnixMilli(0)).String())
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		var id ID[Site]
		if id.UnmarshalText([]byte(text)) == nil && id.String() != text {
			t.Fatalf("%q was read as %s", text, id)
		}
	})
}

func TestError_KeepsItsCauseToItself(t *testing.T) {
	cause := errors.New("password is hunter2")
	err := &Error{Kind: KindUnavailable, Message: "try again in a minute", Cause: cause}
	if strings.Contains(err.Error(), "hunter2") || !errors.Is(err, cause) {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "error", err)
	if !strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), "try again") {
		t.Fatal(log.String())
	}
}

func TestActor(t *testing.T) {
	id := NewID[Staff](time.Now())
	for _, test := range []struct {
		actor Actor
		valid bool
	}{
		{Actor{Role: RoleVisitor}, true},
		{Actor{Role: RoleSystem}, true},
		{Actor{Role: RoleAgent, Staff: id}, true},
		{Actor{Role: RoleAgent}, false},
		{Actor{Role: RoleVisitor, Staff: id}, false},
		{Actor{Role: "root", Staff: id}, false},
		{Actor{}, false},
	} {
		if err := test.actor.Validate(); (err == nil) != test.valid {
			t.Errorf("%+v: %v", test.actor, err)
		}
	}
}
