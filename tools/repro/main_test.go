package main

import "testing"

func TestCompare_NamesADifference(t *testing.T) {
	same := map[string]string{"bin/aldaba": "1", "web/dist/a.js": "2"}
	if err := compare(same, map[string]string{"bin/aldaba": "1", "web/dist/a.js": "2"}); err != nil {
		t.Error(err)
	}
	for name, other := range map[string]map[string]string{
		"another content": {"bin/aldaba": "3", "web/dist/a.js": "2"},
		"a missing file":  {"bin/aldaba": "1"},
		"a further file":  {"bin/aldaba": "1", "web/dist/a.js": "2", "web/dist/b.js": "4"},
	} {
		if compare(same, other) == nil {
			t.Errorf("%s was not seen", name)
		}
	}
}
