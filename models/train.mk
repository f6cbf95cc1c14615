# SPDX-License-Identifier: Apache-2.0
# `make -f models/train.mk students` trains every shipped student anew, teachers first, and exports it: an hour or two
# of one core.  A teacher that is there is not trained again; `make students/insole4-dstcn16` does one alone.

EDGEGRF  ?= .venv/bin/edgegrf
TEACHERS := build/teachers
TRAIN    := $(EDGEGRF) train --threads 1
DISTILL  := $(EDGEGRF) distill --recipe kd --threads 1

# Three of one kind, that kind with a look-ahead, and one of another kind, which sees whole windows.
ENSEMBLE := dstcn-1 dstcn-2 dstcn-3 dstcn-centred-1 wrn28-1-1
TEACHING := $(ENSEMBLE:%=$(TEACHERS)/%/student.pt)

DISTILLED := insole4-dstcn16 insole4-dstcn16-street insole4-dstcn32 insole4-dstcn32-80ms insole4-tcn32 insole4-gru32
ALONE     := insole4-wrn16-1 insole4-wrn28-1 matrix16x8-st

# What the export alone would make worse by more than 2 %.
QAT_insole4-wrn16-1 := --qat 3
QAT_matrix16x8-st   := --qat 12

.PHONY: students $(DISTILLED:%=students/%) $(ALONE:%=students/%)

students: $(DISTILLED:%=students/%) $(ALONE:%=students/%)

$(DISTILLED:%=students/%): students/%: $(TEACHING)
	$(DISTILL) --student $* $(TEACHING:%=--teacher %) $(QAT_$*) -o models/$*
	$(EDGEGRF) export models/$*/student.pt

$(ALONE:%=students/%): students/%:
	$(TRAIN) --student $* $(QAT_$*) -o models/$*
	$(EDGEGRF) export models/$*/student.pt

# NAME-SEED
$(TEACHERS)/%/student.pt:
	$(TRAIN) --student $(patsubst %-$(lastword $(subst -, ,$*)),%,$*) --seed $(lastword $(subst -, ,$*)) -o $(@D)
