"""The SFTP server in front of the landing: what a host needs for it, as a shell script or made at once."""
