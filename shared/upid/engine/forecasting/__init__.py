"""What comes next: smoothing, baselines, their choice by back-test, intervals."""
