// Standard JSON from standard input through the solc in the folder that is named, to standard output.
const solc = require(process.argv[2] + "/node_modules/solc");
const input = require("fs").readFileSync(0, "utf8");
process.stdout.write(solc.compile(input));
