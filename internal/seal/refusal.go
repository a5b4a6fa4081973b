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
	// Parsing.
	ErrTooLarge     = Refusal{Rule: "P1", Code: "too_large"}
	ErrBadVersion   = Refusal{Rule: "P2", Code: "bad_version"}
	ErrBadKind      = Refusal{Rule: "P3", Code: "bad_kind"}
	ErrBadSuite     = Refusal{Rule: "P4", Code: "bad_suite"}
	ErrBadLength    = Refusal{Rule: "P5", Code: "bad_length"}
	ErrTrailing     = Refusal{Rule: "P6", Code: "trailing"}
	ErrBadInteger   = Refusal{Rule: "P7", Code: "bad_int"}
	ErrBadText      = Refusal{Rule: "P8", Code: "bad_text"}
	ErrBadValue     = Refusal{Rule: "P9", Code: "bad_value"}
	ErrNotCanonical = Refusal{Rule: "P10", Code: "not_canonical"}

	// Keys, certificates, policy, status.
	ErrWeakKey               = Refusal{Rule: "K1", Code: "weak_key"}
	ErrBadKEMKey             = Refusal{Rule: "K2", Code: "bad_kem_key"}
	ErrWrongOrg              = Refusal{Rule: "K3", Code: "wrong_org"}
	ErrPolicySignature       = Refusal{Rule: "K4", Code: "bad_policy_sig"}
	ErrPolicyRollback        = Refusal{Rule: "K5", Code: "policy_rollback"}
	ErrBadPolicy             = Refusal{Rule: "K6", Code: "bad_policy"}
	ErrStatusSignature       = Refusal{Rule: "K7", Code: "bad_status_sig"}
	ErrStaleStatus           = Refusal{Rule: "K8", Code: "stale_status"}
	ErrBadEnroller           = Refusal{Rule: "K9", Code: "bad_enroller"}
	ErrBadCertificate        = Refusal{Rule: "K10", Code: "bad_cert"}
	ErrCertificateTime       = Refusal{Rule: "K11", Code: "cert_time"}
	ErrRevoked               = Refusal{Rule: "K12", Code: "revoked"}
	ErrBadDepartmentKey      = Refusal{Rule: "K14", Code: "bad_dept_key"}
	ErrDepartmentKeyMismatch = Refusal{Rule: "K15", Code: "dept_key_mismatch"}
	ErrBadKeyObject          = Refusal{Rule: "K16", Code: "bad_keyobj"}
	ErrBadEnrolment          = Refusal{Rule: "K17", Code: "bad_enrolment"}
	ErrMixedOrder            = Refusal{Rule: "K19", Code: "mixed_order"}

	// Genesis.
	ErrBadGenesis           = Refusal{Rule: "G1", Code: "bad_genesis"}
	ErrGenesisSignature     = Refusal{Rule: "G2", Code: "genesis_sig"}
	ErrConversationMismatch = Refusal{Rule: "G3", Code: "conv_mismatch"}
	ErrGenesisOrg           = Refusal{Rule: "G4", Code: "wrong_org"}
	ErrGenesisPolicy        = Refusal{Rule: "G5", Code: "policy_rollback"}
	ErrWrongDepartment      = Refusal{Rule: "G6", Code: "wrong_dept"}
	ErrModeMismatch         = Refusal{Rule: "G7", Code: "mode_mismatch"}
	ErrGenesisAge           = Refusal{Rule: "G8", Code: "genesis_age"}
	ErrNotMyGenesis         = Refusal{Rule: "G9", Code: "not_my_genesis"}

	// Epoch.
	ErrBadEpoch          = Refusal{Rule: "E1", Code: "bad_epoch"}
	ErrWrongConversation = Refusal{Rule: "E2", Code: "wrong_conv"}
	ErrEpochSkip         = Refusal{Rule: "E3", Code: "epoch_skip"}
	ErrEpochFork         = Refusal{Rule: "E4", Code: "epoch_fork"}
	ErrEpochRollback     = Refusal{Rule: "E5", Code: "epoch_rollback"}
	ErrEpochLog          = Refusal{Rule: "E6", Code: "log_mismatch"}
	ErrBadRoster         = Refusal{Rule: "E7", Code: "bad_roster"}
	ErrLeafReuse         = Refusal{Rule: "E8", Code: "leaf_reuse"}
	ErrDuplicateMember   = Refusal{Rule: "E9", Code: "dup_member"}
	ErrVisitorRule       = Refusal{Rule: "E10", Code: "visitor_rule"}
	ErrVisitorRekey      = Refusal{Rule: "E11", Code: "visitor_rekey"}
	ErrMemberRekey       = Refusal{Rule: "E12", Code: "member_rekey"}
	ErrRoleMismatch      = Refusal{Rule: "E13", Code: "role_mismatch"}
	ErrBadMember         = Refusal{Rule: "E14", Code: "bad_member"}
	ErrModeViolation     = Refusal{Rule: "E15", Code: "mode_violation"}
	ErrMandatoryMissing  = Refusal{Rule: "E16", Code: "mandatory_missing"}
	ErrBotConsent        = Refusal{Rule: "E17", Code: "bot_consent"}
	ErrNotAuthor         = Refusal{Rule: "E18", Code: "not_author"}
	ErrAuthorRight       = Refusal{Rule: "E19", Code: "author_right"}
	ErrBadAccept         = Refusal{Rule: "E20", Code: "bad_accept"}
	ErrDepartmentStale   = Refusal{Rule: "E21", Code: "dept_stale"}
	ErrEpochSignature    = Refusal{Rule: "E22", Code: "epoch_sig"}
	ErrEpochPolicy       = Refusal{Rule: "E23", Code: "policy_rollback"}
	ErrNotesChanged      = Refusal{Rule: "E24", Code: "notes_changed"}
	ErrWrapCount         = Refusal{Rule: "E25", Code: "wrap_count"}
	ErrBadEpoch0         = Refusal{Rule: "E26", Code: "bad_epoch0"}
	ErrEpochBudget       = Refusal{Rule: "E27", Code: "epoch_budget"}

	ErrTimeUncertain = Refusal{Rule: "E29", Code: "time_uncertain"}

	// One's own wrap.
	ErrNotMember   = Refusal{Rule: "W1", Code: "not_member"}
	ErrWrapMissing = Refusal{Rule: "W2", Code: "wrap_missing"}
	ErrWrapHash    = Refusal{Rule: "W3", Code: "wrap_hash"}
	ErrWrapOpen    = Refusal{Rule: "W4", Code: "wrap_open"}
	ErrKeyCommit   = Refusal{Rule: "W5", Code: "key_commit"}
	ErrLocked      = Refusal{Rule: "W6", Code: "locked"}

	// Event.
	ErrBadEvent       = Refusal{Rule: "V1", Code: "bad_event"}
	ErrEpochStale     = Refusal{Rule: "V2", Code: "epoch_stale"}
	ErrNotSender      = Refusal{Rule: "V3", Code: "not_member"}
	ErrSenderRevoked  = Refusal{Rule: "V4", Code: "revoked"}
	ErrDuplicateEvent = Refusal{Rule: "V5", Code: "duplicate_event"}
	ErrEventLog       = Refusal{Rule: "V6", Code: "log_mismatch"}
	ErrEventSignature = Refusal{Rule: "V7", Code: "event_sig"}
	ErrDecrypt        = Refusal{Rule: "V8", Code: "decrypt"}
	ErrCommitment     = Refusal{Rule: "V9", Code: "commitment"}
	ErrPadding        = Refusal{Rule: "V10", Code: "padding"}
	ErrBadPayload     = Refusal{Rule: "V11", Code: "bad_payload"}
	ErrDuplicateCID   = Refusal{Rule: "V12", Code: "duplicate_cid"}

	// Grant.
	ErrBadGrant       = Refusal{Rule: "R1", Code: "bad_grant"}
	ErrGrantStale     = Refusal{Rule: "R2", Code: "epoch_stale"}
	ErrGrantRight     = Refusal{Rule: "R3", Code: "grant_right"}
	ErrGrantPolicy    = Refusal{Rule: "R4", Code: "grant_policy"}
	ErrGrantLog       = Refusal{Rule: "R5", Code: "log_mismatch"}
	ErrGrantSignature = Refusal{Rule: "R6", Code: "grant_sig"}
	ErrGrantOpen      = Refusal{Rule: "R7", Code: "grant_open"}
	ErrGrantLength    = Refusal{Rule: "R8", Code: "grant_length"}
	ErrGrantCommit    = Refusal{Rule: "R9", Code: "grant_commit"}
	ErrDuplicateGrant = Refusal{Rule: "R10", Code: "duplicate_grant"}

	// State of a client.
	ErrGap      = Refusal{Rule: "L1", Code: "gap"}
	ErrRollback = Refusal{Rule: "L2", Code: "rollback"}
	ErrFork     = Refusal{Rule: "L3", Code: "fork"}

	// Server.
	ErrNoSession = Refusal{Rule: "S1", Code: "no_session"}
	ErrWrapSet   = Refusal{Rule: "S4", Code: "wrap_set"}
	ErrClosed    = Refusal{Rule: "S8", Code: "closed"}
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
