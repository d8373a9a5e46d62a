// A database user for each client: named landfall_<client>, it reads and writes landfall_prod_<client> and nothing else.
// The passwords are files; one that changed is set anew.
const fs = require("fs");
const secret = (file) => fs.readFileSync(file, "utf8").replace(/\r?\n$/, "");

const admin = db.getSiblingDB("admin");
admin.auth("root", secret("/run/secrets/mongo-root-password"));
for (const client of fs.readdirSync("/run/landfall/mongo").sort()) {
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(client)) continue;
  const user = {
    pwd: secret(`/run/landfall/mongo/${client}`),
    roles: [{ role: "readWrite", db: `landfall_prod_${client}` }],
  };
  const name = `landfall_${client}`;
  if (admin.getUser(name)) admin.updateUser(name, user);
  else admin.createUser({ user: name, ...user });
  print(`user ${name} is ready`);
}
