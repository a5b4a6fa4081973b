package seal

import (
	"crypto/sha256"
	"encoding/binary"
)

const logLabel = "asc1 log"

// LogStart is the log hash after entry 0, the genesis: L_0 = SHA-256("asc1 log"
// || conv).
func LogStart(conv [32]byte) [32]byte {
	return sha256.Sum256(append([]byte(logLabel), conv[:]...))
}

// LogNext is the log hash after the entry with number seq, from the hash before
// it: L_s = SHA-256("asc1 log" || L_{s-1} || u64(s) || SHA-256(entry)).
func LogNext(before [32]byte, seq uint64, entry []byte) [32]byte {
	hash := sha256.Sum256(entry)
	in := append([]byte(logLabel), before[:]...)
	in = binary.BigEndian.AppendUint64(in, seq)
	return sha256.Sum256(append(in, hash[:]...))
}

func hashOf(b []byte) [32]byte { return sha256.Sum256(b) }
