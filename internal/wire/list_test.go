package wire

import (
	"bytes"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

func TestListsComeBack(t *testing.T) {
	objects := [][]byte{{1}, {}, bytes.Repeat([]byte{7}, 70_000)}
	list := AppendList(nil, objects...)
	got, err := ReadList(list, 3)
	if err != nil || len(got) != 3 || !bytes.Equal(got[2], objects[2]) || len(got[1]) != 0 {
		t.Fatalf("read %d objects, error %v", len(got), err)
	}
	if _, err := ReadList(list, 2); chat.KindOf(err) != chat.KindTooLarge {
		t.Errorf("a list over its limit gives %v", err)
	}
	for cut := 1; cut < 9; cut++ {
		if _, err := ReadList(list[:cut], 9); cut != 5 && chat.KindOf(err) != chat.KindInvalid {
			t.Errorf("a list cut after %d bytes gives %v", cut, err)
		}
	}
}

func TestHashesHaveOneText(t *testing.T) {
	hash := [32]byte{1, 2, 3}
	if got, err := ReadHash("conv", Text(hash[:])); err != nil || got != hash {
		t.Fatalf("%x, %v", got, err)
	}
	bad := []string{"", Text(hash[:31]), Text(hash[:]) + "A", Text(hash[:])[:42] + "B", Text(hash[:])[:42] + "\n", Text(hash[:])[:42] + "+"}
	for _, text := range bad {
		if _, err := ReadHash("conv", text); chat.KindOf(err) != chat.KindInvalid {
			t.Errorf("%q gives %v", text, err)
		}
	}
}

func FuzzReadList(f *testing.F) {
	f.Add(AppendList(nil, []byte("a"), nil))
	f.Fuzz(func(t *testing.T, list []byte) {
		objects, err := ReadList(list, 100)
		if err == nil && !bytes.Equal(AppendList(nil, objects...), list) {
			t.Fatal("another list came back")
		}
	})
}
