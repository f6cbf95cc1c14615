# SPDX-License-Identifier: Apache-2.0
# `make -f models/train.mk students` trains every shipped student anew, teachers first, and exports it: two hours
# of one core.  A teacher that is there is not trained again; `make students/insole4-dstcn16` does one alone.

EDGEGRF  ?= .venv/bin/edgegrf
TEACHERS := build/teachers
TRAIN    := $(EDGEGRF) train --threads 1
DISTILL  := $(EDGEGRF) distill --recipe kd --qat 2 --threads 1

SEPARABLE := $(TEACHERS)/dstcn32-1/student.pt $(TEACHERS)/dstcn32-2/student.pt
ALL_THREE := $(SEPARABLE) $(TEACHERS)/tcn64/student.pt

DISTILLED := insole4-dstcn16 insole4-dstcn16-street insole4-dstcn32 insole4-dstcn32-80ms
ALONE     := insole4-gru32 insole4-tcn32 insole4-wrn16-1 insole4-wrn28-1 matrix16x8-st

# What the export alone would make worse by more than 2 %.
QAT_insole4-wrn16-1 := --qat 3
QAT_matrix16x8-st   := --qat 12

.PHONY: students $(DISTILLED:%=students/%) $(ALONE:%=students/%)

students: $(DISTILLED:%=students/%) $(ALONE:%=students/%)

$(DISTILLED:%=students/%): students/%: $(ALL_THREE)
	$(DISTILL) --student $* $(ALL_THREE:%=--teacher %) -o models/$*
	$(EDGEGRF) export models/$*/student.pt

$(ALONE:%=students/%): students/%:
	$(TRAIN) --student $* $(QAT_$*) -o models/$*
	$(EDGEGRF) export models/$*/student.pt

$(TEACHERS)/dstcn32-%/student.pt:
	$(TRAIN) --architecture dstcn --hyper channels=32 --hyper 'dilations=[3,9,27]' --epochs 20 --seed $* -o $(@D)

$(TEACHERS)/tcn64/student.pt:
	$(TRAIN) --architecture tcn --hyper channels=64 --hyper 'dilations=[1,3,9,27]' --seed 2 -o $(@D)
