"""Encryption by age or GnuPG: what stands before the file, and between the file and its reader."""

from __future__ import annotations

from backoffice.errors import UnavailableError
from backoffice.system.backups.manifest import Encryption
from backoffice.system.backups.programs import Step, program
from backoffice.system.backups.settings import BackupSettings

SUFFIXES = {Encryption.NONE: "", Encryption.AGE: ".age", Encryption.GPG: ".gpg"}


def encrypting(settings: BackupSettings) -> tuple[Step, ...]:
    """Return the step that encrypts for the configured recipients, if there are any."""
    if settings.encryption is Encryption.AGE:
        named = [part for one in settings.age_recipients for part in ("--recipient", one)]
        return (Step([program("age"), "--encrypt", *named]),)
    if settings.encryption is Encryption.GPG:
        named = [part for one in settings.gpg_recipients for part in ("--recipient", one)]
        return (
            # The key was named by its fingerprint, which is all the trust there is to have;
            # the dump is compressed already.
            Step([program("gpg"), "--batch", "--no-tty", "--trust-model", "always",
                  "--compress-algo", "none", *named, "--encrypt"]),
        )  # fmt: skip
    return ()


def decrypting(settings: BackupSettings, encryption: Encryption) -> tuple[Step, ...]:
    """Return the step that decrypts; raise UnavailableError when its key is not configured."""
    if encryption is Encryption.AGE:
        if settings.age_identity is None or not settings.age_identity.is_file():
            raise UnavailableError(
                "This backup is encrypted by age. Set BACKUP_AGE_IDENTITY_FILE to the file "
                "with the key."
            )
        return (Step([program("age"), "--decrypt", "--identity", settings.age_identity]),)
    if encryption is Encryption.GPG:
        return (Step([program("gpg"), "--batch", "--no-tty", "--quiet", "--decrypt"]),)
    return ()
