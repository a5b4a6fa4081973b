// Package fanout delivers committed entries to the people who are connected.
// Delivery is a hint: what is true stands in the log, and whoever missed
// something reads it there.
package fanout
