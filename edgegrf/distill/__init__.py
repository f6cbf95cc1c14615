# SPDX-License-Identifier: Apache-2.0
"""Training students on walks; torch is imported by the modules, not here."""
