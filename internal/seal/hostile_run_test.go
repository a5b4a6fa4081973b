package seal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const membersFile = "members-go.json"

func readMembers(t *testing.T, name string) vectorFile {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(vectorFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	var f vectorFile
	if err := json.Unmarshal(content, &f, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	return f
}

// Every case ends by its rule, made anew and read from the vectors, and the
// vectors hold exactly the cases that are made here.
// `go test ./internal/seal -run TestMembers -update` writes them.
func TestMembers(t *testing.T) {
	made := hostileCases(t)
	everyRule(t, made)
	for _, a := range made {
		t.Run("fresh/"+a.name, a.run)
	}
	if *update && !t.Failed() {
		var f vectorFile
		for _, a := range made {
			f.add(t, a)
		}
		content, err := json.Marshal(f, jsontext.WithIndent(" "))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(vectorFolder, membersFile), append(content, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := readMembers(t, membersFile)
	if len(f.Cases) != len(made) {
		t.Errorf("%s has %d cases, here are %d: write it anew with -update", membersFile, len(f.Cases), len(made))
	}
	names := map[string]bool{}
	for i, v := range f.Cases {
		if names[v.Name] {
			t.Errorf("two cases are named %s", v.Name)
		}
		names[v.Name] = true
		if i < len(made) && (v.Name != made[i].name || v.Rule != made[i].rule.Rule || v.Code != made[i].rule.Code || v.Step != made[i].step) {
			t.Errorf("case %d of %s is %q, here it is %q: write it anew with -update", i, membersFile, v.Name, made[i].name)
		}
		t.Run("vector/"+v.Name, func(t *testing.T) { f.attack(t, v).run(t) })
	}
}

// The cases of the other implementation end here by the same rules.
func TestMembers_TypeScript(t *testing.T) {
	f := readMembers(t, "members-ts.json")
	if len(f.Cases) < 50 {
		t.Fatalf("only %d cases", len(f.Cases))
	}
	for _, v := range f.Cases {
		t.Run(v.Name, func(t *testing.T) { f.attack(t, v).run(t) })
	}
}

// everyRule asks that every rule of this package has its case. Not so P10, which
// nothing can break while one description reads and writes (FuzzParse asks
// it), L1, which its caller asks, and S1.
func everyRule(t *testing.T, made []*attack) {
	t.Helper()
	seen := map[string]bool{}
	for _, a := range made {
		seen[a.rule.Rule] = true
	}
	for _, r := range []Refusal{
		ErrTooLarge, ErrBadVersion, ErrBadKind, ErrBadSuite, ErrBadLength, ErrTrailing, ErrBadInteger, ErrBadText, ErrBadValue,
		ErrWeakKey, ErrBadKEMKey, ErrWrongOrg, ErrPolicySignature, ErrPolicyRollback, ErrBadPolicy, ErrStatusSignature, ErrStaleStatus,
		ErrBadEnroller, ErrBadCertificate, ErrCertificateTime, ErrRevoked, ErrBadDepartmentKey, ErrDepartmentKeyMismatch, ErrBadKeyObject,
		ErrBadEnrolment, ErrMixedOrder, ErrBadGenesis, ErrGenesisSignature, ErrConversationMismatch, ErrGenesisOrg, ErrGenesisPolicy, ErrWrongDepartment,
		ErrModeMismatch, ErrGenesisAge, ErrNotMyGenesis, ErrBadEpoch, ErrWrongConversation, ErrEpochSkip, ErrEpochFork, ErrEpochRollback, ErrEpochLog,
		ErrBadRoster, ErrLeafReuse, ErrDuplicateMember, ErrVisitorRule, ErrVisitorRekey, ErrMemberRekey, ErrRoleMismatch, ErrBadMember,
		ErrModeViolation, ErrMandatoryMissing, ErrBotConsent, ErrNotAuthor, ErrAuthorRight, ErrBadAccept, ErrDepartmentStale,
		ErrEpochSignature, ErrEpochPolicy, ErrNotesChanged, ErrWrapCount, ErrBadEpoch0, ErrEpochBudget, ErrNotMember, ErrWrapMissing,
		ErrWrapHash, ErrWrapOpen, ErrKeyCommit, ErrLocked, ErrBadEvent, ErrEpochStale, ErrNotSender, ErrSenderRevoked, ErrDuplicateEvent, ErrEventLog,
		ErrEventSignature, ErrDecrypt, ErrCommitment, ErrPadding, ErrBadPayload, ErrDuplicateCID, ErrBadGrant, ErrGrantStale, ErrGrantRight, ErrGrantPolicy,
		ErrGrantLog, ErrGrantSignature, ErrGrantOpen, ErrGrantLength, ErrGrantCommit, ErrDuplicateGrant, ErrRollback, ErrFork, ErrWrapSet, ErrClosed,
	} {
		if !seen[r.Rule] {
			t.Errorf("[%s] %s has no case", r.Rule, r.Code)
		}
	}
}
