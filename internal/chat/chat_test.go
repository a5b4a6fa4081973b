package chat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// drawn is the same randomness in each run, so that a failure comes again.
func drawn() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

func TestID_SortsByTimeAsBytesAndAsText(t *testing.T) {
	random := drawn()
	number := rand.New(random)
	var ids []SiteID
	for range 2000 {
		at := time.UnixMilli(number.Int64N(lastMilli + 1))
		id, err := ReadID[Site](at, random)
		if err != nil {
			t.Fatal(err)
		}
		if !id.Time().Equal(at) {
			t.Fatalf("made at %s, says %s", at, id.Time())
		}
		ids = append(ids, id)
	}
	slices.SortFunc(ids, SiteID.Compare)
	for i := 1; i < len(ids); i++ {
		a, b := ids[i-1], ids[i]
		if bytes.Compare(a[:], b[:]) >= 0 || a.String() >= b.String() || a.Time().After(b.Time()) {
			t.Fatalf("%s does not sort before %s", a, b)
		}
	}
}

func TestID_HasAKnownText(t *testing.T) {
	id, err := ReadID[Staff](time.UnixMilli(0x0102030405), bytes.NewReader(bytes.Repeat([]byte{0xff}, 16)))
	const want = "000g40r40qzzzzzzzzzzzzzzzzzzzzzzzzzg"
	if err != nil || id.String() != want {
		t.Fatalf("got %s, %v", id, err)
	}
}

func TestID_TextComesBack(t *testing.T) {
	random := drawn()
	for range 2000 {
		id, err := ReadID[Device](time.UnixMilli(1_790_000_000_000), random)
		if err != nil {
			t.Fatal(err)
		}
		text, err := id.MarshalText()
		if err != nil || len(text) != idText {
			t.Fatalf("%s, %v", text, err)
		}
		var read DeviceID
		if err := read.UnmarshalText(text); err != nil || read != id {
			t.Fatalf("%s came back as %s, %v", id, read, err)
		}
	}
}

func TestID_KindsDoNotMix(t *testing.T) {
	types := []reflect.Type{
		reflect.TypeFor[SiteID](), reflect.TypeFor[DepartmentID](), reflect.TypeFor[StaffID](),
		reflect.TypeFor[DeviceID](), reflect.TypeFor[ConversationID](),
	}
	for i, a := range types {
		for j, b := range types {
			if a.AssignableTo(b) != (i == j) {
				t.Errorf("%s can stand for %s: %t", a, b, i != j)
			}
		}
	}
}

func TestID_Refuses(t *testing.T) {
	right := NewID[Staff](time.UnixMilli(1_790_000_000_000)).String()
	for _, test := range []struct{ text, want string }{
		{"", "36 characters"},
		{right[1:], "36 characters"},
		{right + "0", "36 characters"},
		{right + "\n", "36 characters"},
		{strings.Repeat("x", 1<<16), "36 characters"},
		{"A" + right[1:], "character 1 "},
		{"i" + right[1:], "character 1 "},
		{"\n" + right[1:], "character 1 "},
		{right[:35] + "=", "character 36 "},
		{right[:5] + "\x00" + right[6:], "character 6 "},
		{right[:34] + "é", "character 35 "},
		{right[:35] + "1", "bits that belong to nothing"},
		{right[:35] + "z", "bits that belong to nothing"},
		{strings.Repeat("0", idText), "all zeros"},
	} {
		before := NewID[Staff](time.UnixMilli(1))
		id := before
		err := id.UnmarshalText([]byte(test.text))
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != KindInvalid || e.Field != "id" || !strings.Contains(e.Message, test.want) || id != before {
			t.Errorf("%.50q: %v, want %q", test.text, err, test.want)
		}
	}
}

func TestID_IsNotMadeOf(t *testing.T) {
	for name, make := range map[string]func() (StaffID, error){
		"no randomness":      func() (StaffID, error) { return ReadID[Staff](time.Now(), iotest.ErrReader(io.ErrUnexpectedEOF)) },
		"15 random bytes":    func() (StaffID, error) { return ReadID[Staff](time.Now(), bytes.NewReader([]byte("123456789012345"))) },
		"a time before 1970": func() (StaffID, error) { return ReadID[Staff](time.UnixMilli(-1), drawn()) },
		"a time too late":    func() (StaffID, error) { return ReadID[Staff](time.UnixMilli(lastMilli+1), drawn()) },
		"nothing but zeros": func() (StaffID, error) {
			return ReadID[Staff](time.UnixMilli(0), bytes.NewReader([]byte(strings.Repeat("\x00", 16))))
		},
	} {
		if id, err := make(); err == nil || !id.IsZero() {
			t.Errorf("%s made of %s", id, name)
		}
	}
}

func TestZeroValues_DoNotGoOut(t *testing.T) {
	for _, zero := range []interface{ MarshalText() ([]byte, error) }{SiteID{}, ConversationID{}, Role(0), Role(99)} {
		if text, err := zero.MarshalText(); KindOf(err) != KindInvalid {
			t.Errorf("%T went out as %q, %v", zero, text, err)
		}
	}
}

func TestConversationID(t *testing.T) {
	var id ConversationID
	random := drawn()
	for range 1000 {
		random.Read(id[:])
		text, err := id.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var read ConversationID
		if err := read.UnmarshalText(text); err != nil || read != id {
			t.Fatalf("%s came back as %s, %v", id, read, err)
		}
	}
	right := id.String()
	for _, text := range []string{
		"", right[1:], right + "=", right + "A", "+" + right[1:], "/" + right[1:], "\n" + right[1:],
		right[:42] + "\n", right[:42] + "B", strings.Repeat("A", conversationText), strings.Repeat("x", 1<<16),
	} {
		before := id
		if err := id.UnmarshalText([]byte(text)); KindOf(err) != KindInvalid || id != before {
			t.Errorf("%.50q was read as %s, %v", text, id, err)
		}
	}
}

// FuzzParseID: what is accepted is the one text of its id.
func FuzzParseID(f *testing.F) {
	f.Add(NewID[Site](time.UnixMilli(0)).String())
	f.Add(strings.Repeat("z", 35) + "g")
	f.Add(strings.Repeat("z", 36))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseID[Site](text)
		switch {
		case err != nil && (KindOf(err) != KindInvalid || !id.IsZero()):
			t.Fatalf("%q was refused with %s, %v", text, id, err)
		case err == nil && (id.String() != text || id.IsZero()):
			t.Fatalf("%q was read as %s", text, id)
		}
	})
}

// FuzzParseConversationID: what is accepted is the one text of its id.
func FuzzParseConversationID(f *testing.F) {
	f.Add(strings.Repeat("_", 42) + "8")
	f.Add(strings.Repeat("_", 43))
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := ParseConversationID(text); err == nil && id.String() != text {
			t.Fatalf("%q was read as %s", text, id)
		}
	})
}

func TestError_KeepsItsCauseToItself(t *testing.T) {
	cause := errors.New("password is hunter2")
	inner := (&Error{Kind: KindUnavailable, Message: "try again in a minute"}).Because(cause)
	err := (&Error{Kind: KindInternal}).Because(fmt.Errorf("save: %w", inner))
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(format, err) + fmt.Sprintf(format, inner); strings.Contains(text, "hunter2") {
			t.Errorf("%s shows %s", format, text)
		}
	}
	if !errors.Is(err, cause) || KindOf(fmt.Errorf("wrapped: %w", inner)) != KindUnavailable {
		t.Error("the cause or the kind cannot be seen by programs")
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "error", err)
	if !strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), "in a minute") {
		t.Error(log.String())
	}
}

func TestError_LeavesTheOriginalAlone(t *testing.T) {
	shared := Invalid("name", "a name has at most 80 characters")
	if other := shared.Because(io.EOF); errors.Is(shared, io.EOF) || !errors.Is(other, io.EOF) || other.Field != "name" {
		t.Fatal("a cause was written into an error that others hold")
	}
}

func TestError_NamesItself(t *testing.T) {
	if name := (&Error{Kind: KindConflict, Code: "at_capacity"}).Because(io.EOF).Name(); name != "at_capacity" {
		t.Error(name)
	}
	if name := Invalid("name", "").Name(); name != "invalid" {
		t.Error(name)
	}
}

func TestKind_HasNameAndSentence(t *testing.T) {
	names := map[string]bool{}
	for k := range Kind(len(kinds)) {
		if names[k.String()] || k.String() == "" || (&Error{Kind: k}).Error() == "" {
			t.Errorf("kind %d is not described", uint8(k))
		}
		names[k.String()] = true
	}
	if (&Error{Kind: 200}).Error() != (&Error{}).Error() || KindOf(io.EOF) != KindInternal {
		t.Error("what is unknown is not internal")
	}
}

func TestRole_TextComesBack(t *testing.T) {
	for r := RoleVisitor; r <= RoleSystem; r++ {
		text, err := r.MarshalText()
		var read Role
		if err != nil || read.UnmarshalText(text) != nil || read != r {
			t.Errorf("%s came back as %s, %v", r, read, err)
		}
	}
	for _, name := range []string{"", "root", "Agent", "agent ", "no role (0)"} {
		if r, err := ParseRole(name); KindOf(err) != KindInvalid || r.Valid() {
			t.Errorf("%q is %s, %v", name, r, err)
		}
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
		{Actor{Role: RoleSupervisor, Staff: id}, true},
		{Actor{Role: RoleAdministrator, Staff: id}, true},
		{Actor{Role: RoleAgent}, false},
		{Actor{Role: RoleVisitor, Staff: id}, false},
		{Actor{Role: RoleSystem, Staff: id}, false},
		{Actor{Role: 99, Staff: id}, false},
		{Actor{}, false},
	} {
		if err := test.actor.Validate(); (err == nil) != test.valid {
			t.Errorf("%+v: %v", test.actor, err)
		}
	}
}
