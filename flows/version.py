"""The version that signatures, markers and cards name."""

VERSION = "0.1.0"
