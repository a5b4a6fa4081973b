package seal

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Identity is a member as the safety number sees it.
type Identity struct {
	Role   byte
	SigKey [32]byte // Ed25519 public key
}

// safetyModulus is 10^40: 40 digits are 132 bits.
var safetyModulus = new(big.Int).Exp(big.NewInt(10), big.NewInt(40), nil)

// SafetyNumber is what two people compare: SHA-256("asc1 code" || conv ||
// sorted(role(1) || sig_pk(32))) as a big-endian integer modulo 10^40, in eight
// groups of five digits with spaces between. The order of members does not
// matter; the caller chooses visitor, agents and supervisors (L11).
func SafetyNumber(conv [32]byte, members []Identity) string {
	lines := make([][]byte, len(members))
	for i, m := range members {
		lines[i] = append([]byte{m.Role}, m.SigKey[:]...)
	}
	slices.SortFunc(lines, bytes.Compare)
	h := sha256.New()
	h.Write([]byte("asc1 code"))
	h.Write(conv[:])
	for _, line := range lines {
		h.Write(line)
	}
	n := new(big.Int).SetBytes(h.Sum(nil))
	digits := fmt.Sprintf("%040d", n.Mod(n, safetyModulus))
	var groups []string
	for group := range slices.Chunk([]byte(digits), 5) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, " ")
}
