package seal

import "fmt"

// Refusal is the error for input that breaks a rule of protocol/SPEC.md,
// section 6.
type Refusal struct {
	Rule     string // number of the rule, such as "K1"
	Code     string // its code in logs and vectors, such as "weak_key"
	Sentence string // what was wrong, with field and limit
}

// The rules that this package refuses by. They carry no sentence and serve as
// targets of errors.Is.
var (
	ErrWeakKey    = Refusal{Rule: "K1", Code: "weak_key"}
	ErrBadKEMKey  = Refusal{Rule: "K2", Code: "bad_kem_key"}
	ErrMixedOrder = Refusal{Rule: "K19", Code: "mixed_order"}
	ErrWrapOpen   = Refusal{Rule: "W4", Code: "wrap_open"}
	ErrDecrypt    = Refusal{Rule: "V8", Code: "decrypt"}
	ErrCommitment = Refusal{Rule: "V9", Code: "commitment"}
	ErrPadding    = Refusal{Rule: "V10", Code: "padding"}
)

// Error gives rule, code and sentence in one line.
func (r Refusal) Error() string {
	if r.Sentence == "" {
		return r.Rule + " " + r.Code
	}
	return r.Rule + " " + r.Code + ": " + r.Sentence
}

// Is makes errors.Is compare refusals by their rule, whatever the sentence.
func (r Refusal) Is(target error) bool {
	other, ok := target.(Refusal)
	return ok && other.Rule == r.Rule
}

// Because gives the refusal a sentence, formatted as by fmt.Sprintf. It never
// takes a secret.
func (r Refusal) Because(format string, values ...any) Refusal {
	r.Sentence = fmt.Sprintf(format, values...)
	return r
}
