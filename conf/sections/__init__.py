"""The sections of the settings: each setting with its default, what it means, and what it may be."""

from conf.sections.auth import Auth
from conf.sections.hdfs import Hdfs
from conf.sections.images import Images
from conf.sections.kinds import Section
from conf.sections.lake import Lake
from conf.sections.landing import Landing, Lines
from conf.sections.ldap import Ldap
from conf.sections.lineage import Lineage
from conf.sections.mongo import Mongo
from conf.sections.operating import Log, Query
from conf.sections.sftp import Sftp
from conf.sections.spark import Spark
from conf.sections.web import Web
from conf.sections.workflows import Workflows

__all__ = [
    "Auth",
    "Hdfs",
    "Images",
    "Lake",
    "Landing",
    "Ldap",
    "Lineage",
    "Lines",
    "Log",
    "Mongo",
    "Query",
    "Section",
    "Sftp",
    "Spark",
    "Web",
    "Workflows",
]
