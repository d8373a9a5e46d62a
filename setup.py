"""Metadata and dependencies; the tools are configured in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="landfall",
    version="0.1.0",
    description="Files from many clients, each exactly once a star schema that can be queried, proved and replayed",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.11,<3.13",
    packages=find_packages(include=["conf*", "targets*", "auth*", "spark_jobs*", "pipelines*", "landfall*"]),
    package_data={"conf": ["*.toml", "clients/*.toml", "luigi.cfg"]},
    install_requires=[
        "aiohttp>=3.14,<4",
        "duckdb>=2.0,<3",
        "fsspec>=2025.1",  # DuckDB reads HDFS through it
        "googleapis-common-protos>=1.65",  # these three and zstandard: pyspark's Connect client
        "grpcio>=1.76",
        "grpcio-status>=1.76",
        "hdfs>=2.7,<3",
        "hdfs-native>=0.14.7,<0.15",
        "ldap3>=2.9,<3",
        "luigi>=3.8,<4",
        "numpy>=2.4,<3",
        "pandas>=2.2,<3",  # pyspark's mapInArrow asks for it
        "pillow>=13,<14",
        "prometheus-client<0.25",  # luigi's limit
        "psutil>=7,<8",
        "pyarrow>=26,<27",
        "pybase64>=1.5,<2",
        "pycurl>=7.49,<8",
        "pydantic>=2.14,<3",
        "pydantic-settings>=2.16,<3",
        "pymongo>=4.17,<5",
        "pyspark==4.3.0",
        "requests>=2.32,<3",
        "rich>=15,<16",
        "simplejpeg>=1.9,<2",
        "sqlglot>=30,<31",
        "structlog>=26,<27",
        "typer>=0.29,<1",
        "yarl>=1.25,<2",
        "zstandard>=0.25",
    ],
    extras_require={
        "dev": [
            "setuptools>=77",
            "wheel",
            "hypothesis>=6",
            "kubernetes-validate",
            "mypy>=2",
            "pandas-stubs",
            "pytest>=9",
            "pytest-timeout>=2",
            "pytest-xdist>=3.8",
            "pyyaml>=6",
            "ruff>=0.17",
            "trustme>=1.2",
            "types-PyYAML",
            "types-requests",
        ],
    },
    entry_points={
        "console_scripts": ["landfall = landfall.__main__:main"],
        "landfall.transforms": [],
    },
)
