package authority
const format = 1
